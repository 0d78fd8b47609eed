import { describeEncryption } from '@bkp/testkit'
import aesGcm from './index.js'

// McGrew and Viega, The Galois/Counter Mode of Operation, appendix B.
const key = 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'
const nonce = 'cafebabefacedbaddecaf888'
const plaintext =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
  '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'
const ciphertext =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
  '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662'

describeEncryption(aesGcm, {
  vectors: [
    {
      name: 'test case 13 of GCM, nothing',
      key: '00'.repeat(32),
      nonce: '00'.repeat(12),
      aad: '',
      plaintext: '',
      sealed: '530f8afbc74536b9a963b4f1c4cb738b',
    },
    {
      name: 'test case 14 of GCM, one block',
      key: '00'.repeat(32),
      nonce: '00'.repeat(12),
      aad: '',
      plaintext: '00'.repeat(16),
      sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    },
    {
      name: 'test case 16 of GCM, with aad',
      key,
      nonce,
      aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
      plaintext,
      sealed: `${ciphertext}76fc6ece0f4e1768cddf8853bb2d551b`,
    },
  ],
})
