import { randomBytes } from 'node:crypto'

/** No vowels, so that ids form no words, and no 0/1/l/o: people read ids aloud at night. */
const alphabet = '23456789bcdfghjkmnpqrstvwxz'

/** A random id of `length` characters; 12 characters carry 57 bits. */
export function randomId(length = 12): string {
  let id = ''
  while (id.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < alphabet.length * 9 && id.length < length) id += alphabet[byte % alphabet.length]
    }
  }
  return id
}
