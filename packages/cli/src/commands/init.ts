import { BaseCommand } from '../base-command.js'
import { exitCode } from '../errors/exit-codes.js'
import { passphraseFlags, toFlag } from '../flags/common.js'
import { placeHint } from '../flags/place-names.js'
import { outcomeJson } from '../output/results.js'
import { safe, shortId } from '../output/text.js'

export default class Init extends BaseCommand {
  static override summary = 'Create a repository.'
  static override description =
    'Creates an encrypted repository and prints its recovery code, once. The code opens the repository when the passphrase is lost: keep it away from this machine. With several --to, all of them become replicas of one repository. Exit code 11: there is a repository already.'
  static override examples = [
    '<%= config.bin %> init --to /mnt/disk/backup',
    '<%= config.bin %> init --to /mnt/disk/backup --password-file ~/.bkp-passphrase',
    '<%= config.bin %> init --to /mnt/disk/backup --to sftp://nas/backup --to b2://bucket/backup',
    '<%= config.bin %> init --to /mnt/disk/backup --json',
  ]
  static override flags = { ...toFlag, ...passphraseFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(Init)
    const places = await this.places(flags)
    const { secrets, session } = await this.scope()
    const passphrase = await secrets.readNewPassphrase(flags, places.password)
    const engine = await session.engine()
    const created = await engine.createRepository(places.destinations, passphrase)
    const { url } = created
    const recoveryCode = created.recoveryCode.reveal()
    const lagging = created.destinations.filter(({ state }) => state === 'lagging')
    if (lagging.length > 0) this.terminal.exitCode = exitCode.notEverywhere
    if (flags.json) {
      const destinations = created.destinations.map(outcomeJson)
      return this.printJson({ repository: created.repositoryId, url, recoveryCode, destinations })
    }
    const lines = [
      ...created.destinations
        .filter(({ state }) => state === 'complete')
        .map((one) => `Created repository ${shortId(created.repositoryId)} at ${safe(one.url)}`),
      ...lagging.map(
        ({ name, message }) => `${safe(name)} has no repository yet: ${safe(message ?? '')}; bring it up by: bkp sync`,
      ),
      '',
      'Recovery code, shown only now. Write it down and keep it away from this machine:',
      '',
      `    ${recoveryCode}`,
      '',
      'Who has lost the passphrase and this code has lost the backup.',
      '',
      `Next: bkp backup PATH ${placeHint('--to', places)}`,
    ]
    await this.print(lines.join('\n'))
  }
}
