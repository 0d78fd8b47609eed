// npm run test:servers: runs what is tested against real servers. With --install it first installs the servers by Debian's
// package manager; without, it says which are missing and which tests stay away. Other arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { root, run, setup } from './setup.mjs'

const needs = JSON.parse(readFileSync(join(root, 'test/servers/needs.json'), 'utf8'))
const isThere = (program) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' }).status === 0
const missing = () => Object.entries(needs).filter(([, { programs }]) => !programs.every(isThere))

function install() {
  const packages = missing().flatMap(([, need]) => need.packages)
  if (packages.length === 0) return
  console.log(`Installing ${packages.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const stdio = ['ignore', 'ignore', 'inherit']
  // Nothing that is installed is started: tests start their own, on loopback.
  const script = `printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; status=$?
    rm -f /usr/sbin/policy-rc.d; exit $status`
  const { status } = spawnSync('sh', ['-c', script, 'sh', ...packages], { env, stdio })
  if (status !== 0) process.exit(status ?? 1)
}

const args = process.argv.slice(2)
setup()
if (args.includes('--install')) install()
for (const [name, { packages }] of missing())
  console.log(
    `Tests against ${name} stay away; to run them: apt-get install ${packages.join(' ')}, or npm run test:servers -- --install`,
  )
build()
const rest = args.filter((arg) => arg !== '--install')
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'servers', ...rest])
