// npm run docs:api [-- --check]: the reference of plugin-api as Markdown, docs/plugins/api/README.md, from the doc comments.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application } from 'typedoc'

const root = fileURLToPath(new URL('../..', import.meta.url))
const committed = join(root, 'docs/plugins/api/README.md')

// Into a folder of its own: TypeDoc empties the folder that it writes to.
const temporary = mkdtempSync(join(tmpdir(), 'bkp-typedoc-'))
const app = await Application.bootstrapWithPlugins({
  name: '@bkp/plugin-api',
  entryPoints: [join(root, 'packages/plugin-api/src/index.ts')],
  tsconfig: join(root, 'packages/plugin-api/tsconfig.json'),
  basePath: root,
  out: temporary,
  cleanOutputDir: false,
  plugin: ['typedoc-plugin-markdown'],
  router: 'module',
  readme: 'none',
  disableSources: true,
  excludePrivate: true,
  excludeExternals: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  logLevel: 'Warn',
})
const project = await app.convert()
if (project === undefined) throw new Error('plugin-api could not be read')
await app.generateOutputs(project)
const [page = ''] = readdirSync(temporary).filter((name) => name.endsWith('.md'))
const text = readFileSync(join(temporary, page), 'utf8')
rmSync(temporary, { recursive: true })

if (!process.argv.includes('--check')) {
  mkdirSync(dirname(committed), { recursive: true })
  writeFileSync(committed, text)
} else if (readFileSync(committed, 'utf8') !== text) {
  console.error('docs/plugins/api/README.md is not up to date: npm run docs:api')
  process.exitCode = 1
}
