/** Keys of a user of an S3 server. */
export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** An S3 server on loopback, with two users. */
export interface S3Server {
  readonly endpoint: string
  /** Makes buckets, and owns them. */
  readonly owner: S3Keys
  /** May do what a bucket allows it, else nothing. */
  readonly guest: S3Keys
  stop(): Promise<void>
}
