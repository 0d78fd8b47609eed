import type { SourceModule } from '@bkp/plugin-api'
import { BkpError } from '../errors/index.js'
import { loadNative as loadNativeArgon2 } from '../format/argon2.js'
import { createKeyedHasher } from '../hash/keyed-hasher.js'
import { Codecs } from '../repository/codecs.js'
import type { DoctorFinding } from './api.js'
import { describeCodecs, type PluginAccess } from './plugin-access.js'

/** Which codecs, ciphers and features work on this machine, by trying them. */
export async function examine(plugins: PluginAccess): Promise<readonly DoctorFinding[]> {
  const findings: DoctorFinding[] = [{ level: 'ok', subject: 'node', message: process.version }]
  const compressions = plugins.idsOf('compression')
  const ciphers = plugins.idsOf('encryption')
  const described = describeCodecs(plugins, compressions, { foreignCiphers: ciphers })
  const codecs = await Codecs.load(described, plugins.contain)
  for (const [number, id] of compressions.entries())
    findings.push(tried(`compression ${id}`, () => codecs.compressor(number)))
  for (const id of ciphers) findings.push(tried(`encryption ${id}`, () => codecs.cipher(id)))
  const { implementation } = await createKeyedHasher(new Uint8Array(32))
  const isNative = implementation === 'native'
  findings.push({
    level: isNative ? 'ok' : 'warning',
    subject: 'BLAKE3',
    message: isNative ? 'native' : 'WebAssembly: slower, the same results',
  })
  const hasArgon2 = (await loadNativeArgon2()) !== undefined
  findings.push({
    level: hasArgon2 ? 'ok' : 'warning',
    subject: 'Argon2',
    message: hasArgon2 ? 'native' : 'JavaScript: opening takes seconds',
  })
  for (const id of plugins.idsOf('source')) {
    const limitations = await limitationsOf(plugins, id)
    if (limitations.length === 0) findings.push({ level: 'ok', subject: `source ${id}`, message: 'everything is kept' })
    for (const limitation of limitations)
      findings.push({ level: 'warning', subject: `source ${id}`, message: `not kept: ${limitation}` })
  }
  return findings
}

async function limitationsOf(plugins: PluginAccess, id: string): Promise<readonly string[]> {
  const module = plugins.workerModule('source', id)
  if (module === undefined) return []
  const ask = async () => ((await import(module.url)) as { default: SourceModule }).default.limitations?.() ?? []
  return module.plugin === undefined ? ask() : plugins.contain(module.plugin, 'load', ask)
}

function tried(subject: string, action: () => unknown): DoctorFinding {
  try {
    action()
    return { level: 'ok', subject, message: 'works' }
  } catch (error) {
    if (!(error instanceof BkpError)) throw error
    return {
      level: 'warning',
      subject,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    }
  }
}
