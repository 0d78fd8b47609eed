import { BaseCommand } from '../base-command.js'
import { composeEngine } from '../composition/engine.js'
import { secretFlags, singleDestination, toFlag } from '../flags/common.js'
import { readPassphrase } from '../secrets/unlock.js'

export default class Init extends BaseCommand {
  static override summary = 'Create a repository.'
  static override description =
    'Creates an encrypted repository and prints its recovery code, once. The code opens the repository when the passphrase is lost; keep it apart from the machine.'
  static override examples = [
    '<%= config.bin %> init --to /mnt/disk/backup',
    'BKP_PASSWORD=… <%= config.bin %> init --to /mnt/disk/backup --json',
  ]
  static override flags = {
    ...toFlag,
    'password-file': secretFlags['password-file'],
    'password-command': secretFlags['password-command'],
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Init)
    const url = singleDestination(flags.to)
    const passphrase = await readPassphrase(flags, true)
    const engine = await composeEngine()
    const created = await engine.createRepository(url, passphrase)
    await engine.close()
    const recoveryCode = created.recoveryCode.reveal()
    if (flags.json) {
      this.printJson({ repository: created.repositoryId, url, recoveryCode })
      return
    }
    this.print(`Created the repository ${created.repositoryId.slice(0, 8)} at ${url}`)
    this.print()
    this.print('Recovery code (shown only now; write it down and keep it away from this machine):')
    this.print()
    this.print(`    ${recoveryCode}`)
    this.print()
    this.print(`Next: bkp backup PATH --to ${url}`)
  }
}
