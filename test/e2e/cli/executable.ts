import { fileURLToPath } from 'node:url'

/** What `bkp` is on a user's path. */
export const executable = fileURLToPath(new URL('../../../packages/cli/bin/run.js', import.meta.url))
