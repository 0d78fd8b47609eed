import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Packed, packFolder } from './demo-plugin.js'

/** ChaCha20-Poly1305 of Node, as a stranger brings it. */
const cipher = (id: string) => `
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { PortError } from '@bkp/plugin-api'
const options = { authTagLength: 16 }
export default {
  id: '${id}',
  nonceBytes: 12,
  overheadBytes: 16,
  create: () => ({
    seal(key, nonce, aad, plain, output) {
      const sealing = createCipheriv('chacha20-poly1305', key, nonce, options)
      sealing.setAAD(aad, { plaintextLength: plain.length })
      output.set(sealing.update(plain))
      sealing.final()
      output.set(sealing.getAuthTag(), plain.length)
    },
    open(key, nonce, aad, sealed, output) {
      const opening = createDecipheriv('chacha20-poly1305', key, nonce, options)
      opening.setAAD(aad, { plaintextLength: output.length })
      opening.setAuthTag(sealed.subarray(output.length))
      output.set(opening.update(sealed.subarray(0, output.length)))
      try { opening.final() } catch {
        output.fill(0)
        throw new PortError('corrupt', 'Sealed bytes were changed')
      }
    },
  }),
}
`

/** Packs a plugin with a cipher, and nothing that is registered by an entry. */
export function packCipher(
  folder: string,
  { name, version, id }: { name: string; version: string; id: string },
): Packed {
  return packModule(folder, { name, version, port: 'encryption', id, code: cipher(id) })
}

export interface ModuleOptions {
  readonly name: string
  readonly version: string
  readonly port: 'compression' | 'encryption' | 'source'
  readonly id: string
  /** Of the module, which may import plugin-api. */
  readonly code: string
  readonly configuration?: object
}

/** Packs a plugin of one worker module. */
export function packModule(folder: string, { name, version, port, id, code, configuration }: ModuleOptions): Packed {
  mkdirSync(folder, { recursive: true })
  const contribution = { id, module: './module.js', ...(configuration === undefined ? {} : { configuration }) }
  const bkp = { api: '^1.0.0', displayName: name, contributes: { [port]: [contribution] } }
  const peerDependencies = { '@bkp/plugin-api': '^1.0.0' }
  const json = { name, version, type: 'module', exports: './module.js', files: ['*.js'], peerDependencies, bkp }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(json))
  writeFileSync(join(folder, 'module.js'), code)
  return packFolder(folder)
}
