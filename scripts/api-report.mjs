// npm run api: writes what plugin-api and testkit export to packages/*/etc/*.api.md. A test compares: who changes the surface
// commits the new report, and says in CHANGELOG.md what it means for plugins.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'
import { root } from './setup.mjs'

export const reported = ['plugin-api', 'testkit']

/**
 * Compares the built types of a package with its report, or writes the report anew.
 * @returns whether they differ, and what the extractor has to say
 */
export function apiReport(name, { update }) {
  const folder = join(root, 'packages', name)
  const temporary = mkdtempSync(join(tmpdir(), 'bkp-api-report-'))
  mkdirSync(join(folder, 'etc'), { recursive: true })
  const config = ExtractorConfig.prepare({
    configObjectFullPath: join(folder, 'api-extractor.json'),
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: '<projectFolder>/dist/index.d.ts',
      // Its TypeScript is older than ours: it reads our types, not our sources.
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2022',
            lib: ['ES2023'],
            module: 'NodeNext',
            moduleResolution: 'NodeNext',
            types: ['node'],
            skipLibCheck: true,
            strict: true,
          },
          files: ['dist/index.d.ts'],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: '<projectFolder>/etc/',
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: 'warning' } },
        extractorMessageReporting: {
          default: { logLevel: 'warning' },
          'ae-missing-release-tag': { logLevel: 'none' },
          'ae-forgotten-export': { logLevel: 'warning', addToApiReportFile: true },
          // Links between doc comments are TypeDoc's.
          'ae-unresolved-link': { logLevel: 'none' },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  })
  const messages = []
  const { apiReportChanged, errorCount } = Extractor.invoke(config, {
    localBuild: update,
    messageCallback(message) {
      message.handled = true
      if (message.logLevel === 'error' || message.logLevel === 'warning') messages.push(message.text)
    },
  })
  rmSync(temporary, { recursive: true, force: true })
  return { changed: apiReportChanged, errors: errorCount, messages }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of reported) {
    const { changed, errors, messages } = apiReport(name, { update: true })
    console.log(`packages/${name}/etc/${name}.api.md ${changed ? 'was changed' : 'is up to date'}`)
    for (const message of messages) console.log(`  ${message}`)
    if (errors > 0) process.exitCode = 1
  }
}
