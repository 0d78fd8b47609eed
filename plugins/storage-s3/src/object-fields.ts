import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import type { S3Settings } from './settings.js'

const dayMs = 86_400_000

type Written = Pick<
  PutObjectCommandInput,
  'StorageClass' | 'ServerSideEncryption' | 'SSEKMSKeyId' | 'ObjectLockMode' | 'ObjectLockRetainUntilDate'
>
type CustomerKey = Pick<PutObjectCommandInput, 'SSECustomerAlgorithm' | 'SSECustomerKey'>

/** What a new object is given. @param now in milliseconds since 1970: a lock ends so many days after it */
export function writtenFields(settings: S3Settings, now: number): Written & CustomerKey {
  const { storageClass, serverSideEncryption, kmsKeyId, objectLock } = settings
  return {
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as NonNullable<Written['StorageClass']> }),
    ...(serverSideEncryption === undefined
      ? {}
      : { ServerSideEncryption: serverSideEncryption as NonNullable<Written['ServerSideEncryption']> }),
    ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
    ...(objectLock === undefined
      ? {}
      : { ObjectLockMode: objectLock.mode, ObjectLockRetainUntilDate: new Date(now + objectLock.days * dayMs) }),
    ...customerKeyFields(settings),
  }
}

/** A key of the customer's own goes with every write and every read. The SDK adds its MD5. */
export function customerKeyFields({ customerKey }: S3Settings): CustomerKey {
  if (customerKey === undefined) return {}
  return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: customerKey.reveal() }
}
