import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { sha256 } from '../../lib/hash.ts'
import { takesEncoding } from '../http/encodings.ts'

const encoders = {
  br: (bytes: Uint8Array) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } }),
  gzip: promisify(gzip),
} as const

/** Compresses the page in some 20 ms, and to within 3 % of the best quality, which takes ten times as long. */
const brotliQuality = 9

type PageEncoding = keyof typeof encoders

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export interface PageFile {
  type: string
  bytes: Uint8Array
  /** A strong validator, in quotes. */
  etag: string
  /** The name of the file changes with its content. */
  isImmutable: boolean
  /** Sources of the scripts that stand in a page itself, for its policy: `'sha256-…'`. */
  inlineScripts: string[]
}

/** The files of the built page, by their path in a URL. They are read at their first use, and kept in memory. */
export class PageFiles {
  readonly #folder: string
  #files: Promise<Map<string, PageFile>> | null = null
  readonly #encoded = new Map<string, Promise<Uint8Array>>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** `null`: there is no such file. */
  async get(path: string): Promise<PageFile | null> {
    // A failure is not kept: the next request tries again.
    this.#files ??= readFiles(this.#folder).catch((error: unknown) => {
      this.#files = null
      throw error
    })
    return (await this.#files).get(path) ?? null
  }

  /** The content of a file for a reader that takes these encodings (the value of `Accept-Encoding`). */
  async encoded(file: PageFile, accepted: string): Promise<{ encoding: PageEncoding | null; bytes: Uint8Array }> {
    const encoding = (['br', 'gzip'] as const).find((one) => takesEncoding(accepted, one)) ?? null
    if (encoding === null) return { encoding, bytes: file.bytes }
    const key = `${encoding} ${file.etag}`
    const encoded = this.#encoded.get(key) ?? encoders[encoding](file.bytes)
    this.#encoded.set(key, encoded)
    try {
      return { encoding, bytes: await encoded }
    } catch (error) {
      this.#encoded.delete(key)
      throw error
    }
  }
}

async function readFiles(folder: string): Promise<Map<string, PageFile>> {
  const files = new Map<string, PageFile>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const file = join(entry.parentPath, entry.name)
    const bytes = await readFile(file)
    const path = file.slice(folder.length).replaceAll('\\', '/')
    const [etag, isImmutable] = [`"${sha256(bytes).slice(0, 16)}"`, path.startsWith('/assets/')]
    files.set(path, { type, bytes, etag, isImmutable, inlineScripts: path.endsWith('.html') ? scriptsIn(bytes) : [] })
  }
  return files
}

/** The hash of each inline script (Content Security Policy Level 3, 2.3.1). */
const scriptsIn = (page: Buffer): string[] =>
  [...String(page).matchAll(/<script>(.*?)<\/script>/gs)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  )
