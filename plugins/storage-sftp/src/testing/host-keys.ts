/** Made by ssh-keygen; nobody has the private halves. */
export const keys = {
  ed25519: 'AAAAC3NzaC1lZDI1NTE5AAAAIDgAJuv4OfqDCM9H0esT2kpwp/R3JviQQKxuL0cg5FyT',
  ecdsa:
    'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA2pz7snR3sGqGfPhm4ClKy9H2CN4jI/FT35koVE4cv4DAg3HYNwI5tAUgAhKaTKayXbSbTFc4KCIUvOhbfL1yI=',
  other: 'AAAAC3NzaC1lZDI1NTE5AAAAIE4K39ADGYb8SFcXTKvPhJLWGxHJEhT5G/awwsNyCVhM',
} as const

export const ed25519Fingerprint = 'SHA256:1pTS56JDm6xt8GNli9lPMk1PWUffEs7jUYj/10ATGHE'

export const bytesOf = (key: keyof typeof keys) => Buffer.from(keys[key], 'base64')

/** `nas.example.org` with the first key and `[nas.example.org]:2222` with the second, as `ssh-keygen -H` hashed them. */
export const hashed = [
  `|1|fZ8/oaLOngDh7NY+2uHqCX6EM84=|b9ac9x2aymhlCxFyGMZVNKjzS0I= ssh-ed25519 ${keys.ed25519}`,
  `|1|WlgL+Ek4nSnvgbAR/kflP3Ty2j0=|jRUiGxhL4j2gKfcDdsj1mv5anA4= ecdsa-sha2-nistp256 ${keys.ecdsa}`,
].join('\n')
