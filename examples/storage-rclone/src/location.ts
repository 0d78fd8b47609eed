import { PortError } from '@bkp/plugin-api'

const named = /^rclone:([A-Za-z0-9_.+@ -]+):(.*)$/s

/**
 * What rclone calls an fs: `remote:path`, of the URL `rclone:remote:path`. The remote has a name in rclone's configuration:
 * those that are described on the spot (`:s3,secret_access_key=…:`) would put secrets into the URL.
 * @throws PortError `config`
 */
export function parseLocation(url: string): string {
  const [, remote, path] = named.exec(url) ?? []
  if (remote === undefined || path === undefined) {
    throw new PortError('config', `${JSON.stringify(url)} is not the URL of an rclone remote`, {
      hint: 'Write rclone:REMOTE:path, with a remote that "rclone listremotes" shows',
    })
  }
  // rclone serves objects under /[remote:path]/, and looks for the first bracket that closes.
  if (/[[\]]/.test(path)) throw new PortError('config', `${JSON.stringify(path)} holds a bracket`)
  return `${remote}:${path.replace(/(?<=.)\/+$/, '')}`
}
