// npm run docs:manifest: docs/plugins/manifest.md from the schema that manifests are checked with.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const docs = fileURLToPath(new URL('../docs', import.meta.url))
const page = join(docs, 'plugins/manifest.md')

/** The page: what is written by hand, and tables from the schema between two marks. */
export function manifestPage() {
  const schema = JSON.parse(readFileSync(join(docs, 'plugin-manifest.schema.json'), 'utf8'))
  const { contributes, ...top } = schema.properties
  const sections = Object.entries(contributes.properties).map(
    ([port, { items }]) => `### \`contributes.${port}\`: a list of\n\n${table(items)}`,
  )
  const tables = [table({ ...schema, properties: { ...top, contributes } }), ...sections].join('\n\n')
  const [begin, end] = ['<!-- from the schema: npm run docs:manifest -->', '<!-- end -->']
  const text = readFileSync(page, 'utf8')
  return `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${tables}\n\n${text.slice(text.indexOf(end))}`
}

function table({ properties, required = [] }) {
  const rows = Object.entries(properties).map(
    ([name, one]) =>
      `| \`${name}\` | ${typeOf(one)} | ${required.includes(name) ? 'yes' : ''} | ${cell(one.description ?? '')} |`,
  )
  return ['| key | type | needed | what |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function typeOf({ type, items, pattern, uniqueItems }) {
  if (type === 'array')
    return `${uniqueItems ? 'different ' : ''}${items.type === 'object' ? 'objects' : `${items.type}s`}${patternText(items)}`
  return `${type}${patternText({ pattern })}`
}

function patternText({ pattern }) {
  return pattern === undefined ? '' : ` \`${cell(pattern)}\``
}

const cell = (text) => text.replaceAll('|', '\\|')

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, manifestPage())
