export type Portable = string | { readonly base64: string }

/** One entry as `reader.mjs … list` and expected.json have it. */
export interface DescribedEntry {
  readonly path: Portable
  readonly type: string
  readonly mode: string
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: string
  readonly ctimeNs: string
  readonly size: number
  readonly inode: string
  readonly user?: string
  readonly group?: string
  readonly xattrs?: readonly (readonly [name: Portable, base64: string])[]
  readonly target?: Portable
  readonly device?: readonly [major: number, minor: number]
  readonly extents?: readonly (readonly [offset: number, length: number])[]
  readonly links?: number
  readonly sameFileAs?: Portable
  readonly sha256?: string
  readonly error?: string
}

export interface OwnerNames {
  readonly users: ReadonlyMap<number, string>
  readonly groups: ReadonlyMap<number, string>
}

export function describeTree(parent: string, top: string, names?: OwnerNames): DescribedEntry[]
