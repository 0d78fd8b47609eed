// Packages that a bundle holds ask that their licences go with it.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const licencesFile = 'THIRD-PARTY-LICENSES.txt'
const withText = /^(?:licen[cs]e|copying|notice)/i

/**
 * For esbuild: writes the licences of all packages of others whose code is in what it makes.
 * @param folder where to; a file that is there and not needed any more is removed
 */
export const licencesInto = (folder) => ({
  name: 'licences',
  setup({ initialOptions, onEnd }) {
    initialOptions.metafile = true
    onEnd(({ metafile, errors }) => {
      if (errors.length > 0) return
      const file = join(folder, licencesFile)
      rmSync(file, { force: true })
      // Many packages have the same one.
      const byText = new Map()
      for (const { name, text } of [...packagesIn(metafile)].sort().map(licenceOf))
        byText.set(text, [...(byText.get(text) ?? []), name])
      const parts = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`)
      if (parts.length > 0) writeFileSync(file, parts.join(`\n${'-'.repeat(80)}\n\n`))
    })
  },
})

/** Folders of the packages of which something is in the output. */
function packagesIn({ outputs }) {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  )
  return new Set(used.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? []))
}

/** @throws Error for a package that does not say on which terms it may be handed on */
function licenceOf(path) {
  const folder = resolve(path)
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const texts = readdirSync(folder).filter((file) => withText.test(file) && !/\.[cm]?[jt]s$/.test(file))
  if (license === undefined && texts.length === 0) throw new Error(`${name} ${version} has no licence`)
  const text = texts.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n')
  return { name: `${name} ${version}, ${license ?? 'as below'}`, text: text === '' ? `Licence: ${license}` : text }
}
