/** What every backup by the engine is told in tests, beside its paths, source and codecs. */
export const plainBackup = {
  hostname: 'test',
  username: 'test',
  program: 'test',
  tags: [],
  excludes: [],
  excludeCaches: false,
  oneFileSystem: false,
  force: false,
  dryRun: false,
} as const
