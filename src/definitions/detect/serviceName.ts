import { namePattern } from '../names.ts'

/** Turns a folder's name into a valid service name: `My Shop_2` becomes `my-shop-2`, and `2048` becomes `app-2048`. */
export function nameFrom(folderName: string): string {
  const plain = folderName
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  const started = plain === '' ? 'app' : /^[a-z]/.test(plain) ? plain : `app-${plain}`
  const name = started.slice(0, 40).replace(/-+$/, '')
  return namePattern.test(name) ? name : 'app'
}
