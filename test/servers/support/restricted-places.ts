import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BucketOwner } from '../../../plugins/storage-s3/src/testing/bucket-owner.js'
import { startB2StandInProcess } from '../../b2-stand-in/own-process.js'
import { filesIn } from '../../support/damage-folder.js'
import { startApache } from './apache.js'
import { startOpenSsh } from './openssh.js'
import type { S3Server } from './s3-server.js'

/** A server of one kind, and credentials for it that can neither delete nor, where it can deny that, overwrite. */
export interface RestrictedServer {
  /** Credentials as the environment gives them, without `url`s holding any. */
  readonly env: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  /** A new empty place for a repository. */
  place(): Promise<RestrictedPlace>
  close(): Promise<void>
}

export interface RestrictedPlace {
  readonly url: string
  /** Denies from here on what cannot be denied from the beginning. */
  restrict(): Promise<void>
  /** Everything that is kept there, by its key and what tells its content, e.g. `packs/… SHA-256`. */
  kept(): Promise<ReadonlySet<string>>
  /** The keys of its objects. */
  keys(): Promise<readonly string[]>
}

const nothing = () => Promise.resolve()

/** A place that is a folder here, whoever serves it. */
function folderPlace(folder: string, url: string, restrict: () => Promise<void> = nothing): RestrictedPlace {
  // Without what is on its way: `@tmp`, and the temporary names of servers.
  const files = () => filesIn(folder).filter((path) => !/^\/@|\/\./.test(path.slice(folder.length)))
  const keyOf = (path: string) => path.slice(folder.length + 1)
  const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
  return {
    url,
    restrict,
    kept: async () => new Set(files().map((path) => `${keyOf(path)} ${hash(path)}`)),
    keys: async () => files().map(keyOf),
  }
}

/** A folder of ext4 whose administrator lets names be added (chattr +a), and neither taken away nor given to others. */
export async function startAppendOnlyFolder(): Promise<RestrictedServer> {
  const root = mkdtempSync(join(tmpdir(), 'bkp-append-'))
  let places = 0
  const place = async () => {
    const folder = join(root, `place ${places++}`)
    mkdirSync(folder)
    return folderPlace(folder, folder, async () => {
      const packs = Array.from({ length: 256 }, (_, n) => join('packs', n.toString(16).padStart(2, '0')))
      const folders = [...packs, 'packs', 'index', 'snapshots', 'keys', 'sessions', 'condemned', ''].map((name) =>
        join(folder, name),
      )
      // Temporary files are taken away.
      mkdirSync(join(folder, '@tmp'), { recursive: true })
      for (const name of folders) mkdirSync(name, { recursive: true })
      execFileSync('chattr', ['+a', ...folders])
    })
  }
  const close = async () => {
    execFileSync('chattr', ['-R', '-a', root])
    rmSync(root, { recursive: true })
  }
  return { env: {}, secrets: {}, place, close }
}

/** OpenSSH that denies removing, and renaming over what is there. */
export async function startRestrictedSftp(): Promise<RestrictedServer> {
  const server = await startOpenSsh({ sftpArguments: '-P remove,rmdir,posix-rename,setstat,fsetstat,lsetstat' })
  let places = 0
  const place = async () => {
    const folder = join(server.folder, `place-${places++}`)
    mkdirSync(folder)
    const query = new URLSearchParams({
      privateKey: server.privateKey,
      knownHosts: server.knownHosts,
      sshConfig: '/dev/null',
      agent: 'none',
    })
    return folderPlace(folder, `${server.url(folder)}?${query}`)
  }
  return { env: {}, secrets: {}, place, close: () => server.stop() }
}

const webdavPassword = 'password of who may only add'

/** Apache as the README of the plugin says it: PUT only where nothing is yet, and neither DELETE nor MOVE. */
export async function startRestrictedWebdav(): Promise<RestrictedServer> {
  const server = await startApache({
    login: { scheme: 'basic', username: 'ann', password: webdavPassword },
    requirements: [
      'Require method GET HEAD OPTIONS PROPFIND PUT MKCOL',
      `Require expr "! (%{REQUEST_METHOD} == 'PUT' && -f %{REQUEST_FILENAME})"`,
    ].join('\n'),
    directives: 'AuthzSendForbiddenOnFailure On',
  })
  let places = 0
  const place = async () => {
    const name = `place-${places++}`
    const folder = join(server.documents, name)
    mkdirSync(folder)
    execFileSync('chmod', ['777', folder])
    return folderPlace(folder, `webdav://ann@127.0.0.1:${server.port}/${name}`)
  }
  const secrets = { 'password of WebDAV': webdavPassword, 'login of WebDAV': `ann:${webdavPassword}` }
  return { env: { BKP_WEBDAV_PASSWORD: webdavPassword }, secrets, place, close: () => server.stop() }
}

/** The native API of B2 by the stand-in, with a key that lacks deleteFiles. B2 has no right to deny overwriting. */
export async function startRestrictedB2(): Promise<RestrictedServer> {
  const standIn = await startB2StandInProcess()
  const { bucket, realmUrl } = standIn
  const capabilities = ['listFiles', 'readFiles', 'writeFiles'] as const
  const key = await standIn.tell('createKey', { buckets: [bucket], capabilities })
  let places = 0
  const place = async (): Promise<RestrictedPlace> => {
    const prefix = `place-${places++}`
    const keys = async () => {
      const names = await standIn.tell('names')
      return names.filter((name) => name.startsWith(`${prefix}/`)).map((name) => name.slice(prefix.length + 1))
    }
    const kept = async () => {
      for (const call of ['b2_delete_file_version', 'b2_hide_file'])
        if ((await standIn.tell('callsOf', call)) !== 0) throw new Error(`${call} was called`)
      return new Set(await keys())
    }
    return { url: `b2://${bucket}/${prefix}?realmUrl=${realmUrl}`, restrict: nothing, kept, keys }
  }
  const env = { B2_APPLICATION_KEY_ID: key.applicationKeyId, B2_APPLICATION_KEY: key.applicationKey }
  const secrets = { 'application key': key.applicationKey }
  return { env, secrets, place, close: () => standIn.close() }
}

/** A user of Ceph's gateway who may list, read and write, in a bucket with versions: what is replaced stays below. */
export async function startRestrictedS3(gateway: () => Promise<S3Server>): Promise<RestrictedServer> {
  return s3Server(
    await gateway(),
    async (owner) => {
      const bucket = await owner.makeBucket('versioned')
      await owner.setPolicy(bucket, {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: ['arn:aws:iam:::user/guest'] },
            Action: ['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'],
            Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
          },
        ],
      })
      return { bucket, query: '' }
    },
    'guest',
  )
}

/** The owner of a bucket, in which everything is locked for a day: even the owner can remove nothing. */
export async function startLockingS3(gateway: () => Promise<S3Server>): Promise<RestrictedServer> {
  return s3Server(
    await gateway(),
    async (owner) => {
      const bucket = await owner.makeBucket('locking')
      return { bucket, query: '&objectLockMode=COMPLIANCE&objectLockDays=1' }
    },
    'owner',
  )
}

function s3Server(
  server: S3Server,
  makeBucket: (owner: BucketOwner) => Promise<{ readonly bucket: string; readonly query: string }>,
  user: keyof Pick<S3Server, 'owner' | 'guest'>,
): RestrictedServer {
  const owner = new BucketOwner(server.endpoint, server.owner)
  const place = async (): Promise<RestrictedPlace> => {
    const { bucket, query } = await makeBucket(owner)
    const prefix = 'place/'
    return {
      url: `s3://${bucket}/place?endpoint=${server.endpoint}${query}`,
      restrict: nothing,
      kept: async () => new Set((await owner.versions(bucket)).map(({ key, versionId }) => `${key} ${versionId}`)),
      keys: async () => (await owner.keys(bucket, prefix)).map((key) => key.slice(prefix.length)),
    }
  }
  const { accessKeyId, secretAccessKey } = server[user]
  return {
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    secrets: { 'secret key of S3': secretAccessKey },
    place,
    close: async () => owner.close(),
  }
}
