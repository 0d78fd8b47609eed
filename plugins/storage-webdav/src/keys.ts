const segment = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/

/** Whether this is a key of the port. Nothing else is stored, nor listed when it lies in the folder. */
export function isKey(text: string): boolean {
  return text.length <= 512 && text.split('/').every((part) => segment.test(part))
}

/**
 * Where the object of a key lies, or what lies below a prefix that ends with a slash. Names that begin with a dot get an
 * `@` before it, which no key can hold: nginx never lists them, and many servers refuse them.
 */
export function pathOfKey(key: string): string {
  return key.replace(/(^|\/)\./g, '$1@.')
}

/** The segment of a key that stands behind a name on the server; undefined for names that are none of ours. */
export function segmentOfName(name: string): string | undefined {
  const part = name.startsWith('@.') ? name.slice(1) : name
  return segment.test(part) && pathOfKey(part) === name ? part : undefined
}

/** Of `a/b/` or `a/b` it is `a/`; of `a` it is ''. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/', path.length - 2) + 1)
}
