/** The calls of the storage port that reach the far side. */
export type StorageCall = 'put' | 'get' | 'stat' | 'list' | 'remove'
