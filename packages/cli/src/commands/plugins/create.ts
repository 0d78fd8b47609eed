import { join, resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { idFault, packageNameFault, parseKind, pluginKinds } from '../../authoring/plugin-kind.js'
import { BaseCommand } from '../../base-command.js'
import { UsageError } from '../../errors/cli-error.js'
import { safe } from '../../output/text.js'

export default class PluginsCreate extends BaseCommand {
  static override summary = 'Write a new plugin: a package that works, with tests.'
  static override description =
    'Writes a TypeScript package with a manifest, an implementation that works, tests on @bkp/testkit, a README and a workflow that publishes with provenance. Asks for what is not given, where there is a terminal. From a clone of bkp, and with --local-packages, the package refers to tarballs of plugin-api and testkit in its folder "vendor" instead of the registry.'
  static override examples = [
    '<%= config.bin %> plugins create',
    '<%= config.bin %> plugins create storage --id mynas --name bkp-storage-mynas --directory mynas --yes',
    '<%= config.bin %> plugins create compression --id lz4 --yes --local-packages ./tarballs',
  ]
  static override args = {
    kind: Args.string({ description: `what it is: ${pluginKinds.join(', ')}`, required: false }),
  }
  static override flags = {
    id: Flags.string({
      description: 'its id, on disk for ever; of a storage also the scheme of its URLs',
      helpValue: 'ID',
    }),
    name: Flags.string({ description: 'name of the npm package (default: bkp-KIND-ID)', helpValue: 'PACKAGE' }),
    directory: Flags.string({ description: 'where to write it (default: as the package)', helpValue: 'DIR' }),
    yes: Flags.boolean({ default: false, description: 'ask nothing: take the defaults', char: 'y' }),
    'local-packages': Flags.string({
      description: 'folder with tarballs of plugin-api and testkit to build against',
      helpValue: 'DIR',
    }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(PluginsCreate)
    const asks = this.terminal.canAsk && !flags.yes
    const kindText = args.kind ?? (asks ? await this.questions.askText(`Kind (${pluginKinds.join(', ')}):`) : undefined)
    if (kindText === undefined)
      throw new UsageError('The kind of the plugin is missing', `Name one: bkp plugins create ${pluginKinds.join('|')}`)
    const kind = parseKind(kindText)
    const id = flags.id ?? (asks ? await this.questions.askText('Id, on disk for ever:') : undefined)
    if (id === undefined) throw new UsageError('The id of the plugin is missing', 'Give one: --id ID')
    refuse(`The id "${id}"`, idFault(kind, id))
    await this.#refuseTaken(kind, id)
    const name = flags.name ?? (await this.#ask(asks, 'Name of the package', `bkp-${kind}-${id}`))
    refuse(`The name "${name}"`, packageNameFault(name))
    const given = flags.directory ?? (await this.#ask(asks, 'Folder', name.replace(/^@[^/]*\//, '')))
    const directory = resolve(given)

    const local = await import('../../authoring/local-packages.js')
    const packages = flags['local-packages']
    const tarballs = packages === undefined ? undefined : await local.findTarballs(resolve(packages))
    const { writePackage } = await import('../../authoring/write-package.js')
    const plugin = { kind, id, name, year: new Date().getUTCFullYear() }
    const written = await writePackage(join(this.config.root, 'templates'), plugin, directory)
    const root = this.config.root
    const vendored =
      tarballs !== undefined
        ? await local.useTarballs(directory, tarballs)
        : local.isCheckout(root)
          ? await local.useCheckout(directory, root)
          : []
    const next = [`cd ${given} && npm install && npm test`, 'bkp plugins:link .']
    if (flags.json) {
      return this.printJson({ kind, id, name, directory, files: [...written, ...vendored].sort(), next })
    }
    const count = written.length + vendored.length
    await this.print(
      [
        `Wrote ${safe(name)}, ${count} files, to ${safe(directory)}`,
        'Next:',
        ...next.map((line) => `  ${safe(line)}`),
      ].join('\n'),
    )
  }

  /** An empty answer takes the default. */
  async #ask(asks: boolean, question: string, usual: string): Promise<string> {
    const answer = asks ? (await this.questions.askText(`${question} (${usual}):`)).trim() : ''
    return answer === '' ? usual : answer
  }

  async #refuseTaken(kind: string, id: string): Promise<void> {
    const { builtInNames } = await import('../../composition/built-in-contributions.js')
    const owner = builtInNames().find(
      ({ port, name }) => name === id && (port === kind || (kind === 'storage' && port === 'scheme')),
    )
    if (owner === undefined) return
    throw new UsageError(`"${id}" is taken by ${owner.packageName}, which comes with bkp`, 'Choose another: --id ID')
  }
}

function refuse(what: string, fault: string | undefined): void {
  if (fault !== undefined) throw new UsageError(`${what} ${fault}`, 'See bkp plugins create --help')
}
