// node test/b2-stand-in/main.mjs [options in JSON, e.g. {"port":8080,"fileLock":true}]
// Runs the stand-in in a process of its own, for tests that block theirs and to try bkp by hand. It first says on one line
// in JSON where it is and the master key. Every line on its standard input, {"do":"failNext","with":["b2_upload_file","break"]},
// calls a method of the stand-in; the answer is a line {"result":…} or {"error":…}. It ends when its standard input ends.
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('./index.ts', import.meta.url))],
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  write: false,
})
const { startB2StandIn } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
)
const standIn = await startB2StandIn(JSON.parse(process.argv[2] ?? '{}'))
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)

const { realmUrl, bucket, applicationKeyId, applicationKey } = standIn
say({ realmUrl, bucket, applicationKeyId, applicationKey })
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const { do: method, with: args = [] } = JSON.parse(line)
    say({ result: standIn[method](...args) ?? null })
  } catch (error) {
    say({ error: String(error) })
  }
}
await standIn.close()
