/**
 * Passwords and PINs, which people choose and which are hashed slowly; and secrets of our own making,
 * 256 bits of chance that nobody guesses, of which a plain hash is enough.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** 32 MB and some 0.2 s for each guess: OWASP's equivalent of N = 2^17, p = 1 with a quarter of the memory. */
const COST = { N: 2 ** 15, r: 8, p: 3 }
const SCRYPT_BYTES_MAX = 64 * 2 ** 20
const HASH_BYTES = 32
const SALT_BYTES = 16

/**
 * How many are hashed at a time. They are hashed by Node's pool of four threads, which the daemon
 * uses as well: log-ins must never take the last one.
 */
const AT_A_TIME = 2

/** `scrypt$32768$8$3$SALT$HASH`, in base64: the parameters stand with each, so that they can be raised. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const { N, r, p } = COST
  const hash = await derived(password, salt, COST)
  return ['scrypt', N, r, p, salt.toString('base64'), hash.toString('base64')].join('$')
}

/** False, after as long a time, where there is no hash at all. */
export async function isPassword(password: string, hashed: string | null): Promise<boolean> {
  const [, N, r, p, salt = '', hash = ''] = (hashed ?? NOBODY).split('$')
  const cost = { N: Number(N), r: Number(r), p: Number(p) }
  const found = await derived(password, Buffer.from(salt, 'base64'), cost)
  const expected = Buffer.from(hash, 'base64')
  return found.length === expected.length && timingSafeEqual(found, expected) && hashed !== null
}

const NOBODY = `scrypt$${COST.N}$${COST.r}$${COST.p}$${'A'.repeat(22)}==$${'A'.repeat(43)}=`

/** To be shown once: in a cookie, in a link, or to who made the token. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** What is kept of a secret of ours, and by what it is found again. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

let running = 0
const waiting: (() => void)[] = []

async function derived(password: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  if (running >= AT_A_TIME) await new Promise<void>(resolve => waiting.push(resolve))
  running += 1
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const options = { ...cost, maxmem: SCRYPT_BYTES_MAX }
      // NFKC: the same letters, however the keyboard has put them together.
      scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) =>
        error ? reject(error) : resolve(key),
      )
    })
  } finally {
    running -= 1
    waiting.shift()?.()
  }
}
