// Programs of the system that some tests compare with. Installed from Debian's packages when this is root on Debian; elsewhere
// it is said which tests stay away.
import { spawnSync } from 'node:child_process'

const packages = {
  rsync: 'rsync',
  getfattr: 'attr',
  getfacl: 'acl',
  setpriv: 'util-linux',
  'mkfs.ext4': 'e2fsprogs',
  age: 'age',
  'mkfs.exfat': 'exfatprogs',
  'mount.exfat-fuse': 'exfat-fuse',
}

const isThere = (tool) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool], { stdio: 'ignore' }).status === 0
const missing = () => Object.keys(packages).filter((tool) => !isThere(tool))

export function prepareTestTools() {
  const isRoot = process.getuid?.() === 0
  if (isRoot && missing().length > 0 && isThere('apt-get')) {
    const wanted = [...new Set(missing().map((tool) => packages[tool]))]
    console.log(`Installing what the tests compare with: ${wanted.join(', ')}`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    spawnSync(
      'sh',
      ['-c', 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"', 'sh', ...wanted],
      {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
  }
  const reasons = [...(isRoot ? [] : ['root']), ...missing()]
  if (reasons.length > 0)
    console.log(`Tests that mount disks, make devices or compare with rsync stay away: they need ${reasons.join(', ')}`)
}
