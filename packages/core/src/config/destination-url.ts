const schemed = /^[A-Za-z][A-Za-z0-9+.-]+:/
const withPassword = /^([^:]+:\/\/[^/@]*?):[^/]*@/

/** Lower-case scheme of a URL; `file` for paths, Windows drives included. */
export function schemeOf(url: string): string {
  const match = schemed.exec(url)
  return match === null ? 'file' : match[0].slice(0, -1).toLowerCase()
}

/** Whether it is a path of this machine and no URL: a `?` in it is then a part of a name. */
export function isPlainPath(url: string): boolean {
  return !schemed.test(url)
}

export interface SplitUrl {
  /** Without the query. */
  readonly url: string
  readonly query: URLSearchParams
}

export function splitQuery(given: string): SplitUrl {
  const at = isPlainPath(given) ? -1 : given.indexOf('?')
  if (at < 0) return { url: given, query: new URLSearchParams() }
  return { url: given.slice(0, at), query: new URLSearchParams(given.slice(at + 1)) }
}

/** Whether a password stands before the host, where every user of the machine can see it. */
export function hasPassword(url: string): boolean {
  return withPassword.test(url)
}

/** A URL as messages may show it: without query and password. */
export function shownUrl(url: string): string {
  return splitQuery(url).url.replace(withPassword, '$1@')
}
