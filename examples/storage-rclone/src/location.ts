import { PortError } from '@bkp/plugin-api'

const named = /^rclone:\/\/([^/]+)\/(.*)$/s
/** As rclone lets its user name remotes. */
const remoteName = /^[A-Za-z0-9_.+@ -]+$/

/**
 * What rclone calls an fs: `remote:path`, of the URL `rclone://remote/path`. A path from the root of a disk has two slashes,
 * and `%20` stands for a space. The remote has a name in rclone's configuration:
 * those that are described on the spot (`:s3,secret_access_key=…:`) would put secrets into the URL.
 * @throws PortError `config`
 */
export function parseLocation(url: string): string {
  const [, remote, path] = (named.exec(url) ?? []).map(decoded)
  if (remote === undefined || path === undefined || !remoteName.test(remote)) {
    throw new PortError('config', `${JSON.stringify(url)} is not the URL of an rclone remote`, {
      hint: 'Write rclone://REMOTE/path, with a remote that "rclone listremotes" shows',
    })
  }
  // rclone serves objects under /[remote:path]/, and looks for the first bracket that closes.
  if (/[[\]]/.test(path)) throw new PortError('config', `${JSON.stringify(path)} holds a bracket`)
  return `${remote}:${path.replace(/(?<=.)\/+$/, '')}`
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // A % that stands for nothing: the caller says what a URL looks like.
    return undefined
  }
}
