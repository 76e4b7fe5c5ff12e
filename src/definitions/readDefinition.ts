import { open, type FileHandle } from 'node:fs/promises'
import { parseDefinition, type ParsedDefinition } from './parseDefinition.ts'
import { parseCluster, type ParsedCluster } from './parseCluster.ts'
import { DefinitionError, type Problem } from './problem.ts'
import { SourceText } from './sourceText.ts'
import { largestFileBytes } from './yamlDocument.ts'

interface Advice {
  /** Added to the message that the file does not exist. */
  hint: string
  next: string
}

const definitionAdvice: Advice = {
  hint: '; `tandem init` writes one',
  next: 'check the path; tandem init writes a tandem.yaml where there is none',
}
const clusterAdvice: Advice = {
  hint: '',
  next: 'check the path; docs/cluster.example.yaml shows every key of a cluster file',
}

/** Reads and parses a `tandem.yaml`. Every failure, also an unreadable file, is a `DefinitionError`. */
export async function readDefinition(path: string): Promise<ParsedDefinition> {
  return parseDefinition(await readText(path, definitionAdvice), path)
}

/** Reads and parses a `cluster.yaml`, like `readDefinition`. */
export async function readCluster(path: string): Promise<ParsedCluster> {
  return parseCluster(await readText(path, clusterAdvice), path)
}

async function readText(path: string, advice: Advice): Promise<string> {
  return decode(await readBytes(path, advice), path)
}

/** Never reads more than the limit, regardless of the size that the file claims: it may be a pipe, or still grow. */
async function readBytes(path: string, advice: Advice): Promise<Buffer> {
  const file = await openFile(path, advice)
  try {
    const stat = await file.stat()
    if (stat.isDirectory()) throw unreadable(path, 'is a folder; name the file in it', null, advice)
    if (stat.size > largestFileBytes) throw tooLarge(path, `has ${stat.size} bytes`, advice)
    const buffer = Buffer.alloc(largestFileBytes + 1)
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null)
      if (bytesRead === 0) break
      length += bytesRead
    }
    if (length > largestFileBytes) throw tooLarge(path, 'is too large', advice)
    return buffer.subarray(0, length)
  } catch (error) {
    if (error instanceof DefinitionError) throw error
    throw unreadable(path, describe(error, advice), error, advice)
  } finally {
    await file.close()
  }
}

async function openFile(path: string, advice: Advice): Promise<FileHandle> {
  try {
    return await open(path.includes('\0') ? '' : path, 'r')
  } catch (error) {
    throw unreadable(path, describe(error, advice), error, advice)
  }
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const source = new SourceText(bytes.toString('utf8'), path)
    const message = 'the file is not valid UTF-8; save it as UTF-8 text'
    throw new DefinitionError(path, [source.problemAt(firstInvalid(bytes), message)])
  }
}

/** Where decoding first differs from the bytes, in characters: a U+FFFD that the file itself does not contain. */
function firstInvalid(bytes: Buffer): number {
  const text = bytes.toString('utf8')
  for (let at = text.indexOf('\uFFFD'); at !== -1; at = text.indexOf('\uFFFD', at + 1)) {
    const offset = Buffer.byteLength(text.slice(0, at))
    if (!bytes.subarray(offset, offset + 3).equals(Buffer.from('\uFFFD'))) return at
  }
  return 0
}

function describe(error: unknown, { hint }: Advice): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'ENOENT':
      return `does not exist${hint}`
    case 'EACCES':
    case 'EPERM':
      return 'is not readable by this user'
    case 'EISDIR':
      return 'is a folder; name the file in it'
    case 'ENOTDIR':
      return 'lies below a path that is not a folder'
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
  }
}

const tooLarge = (path: string, what: string, advice: Advice): DefinitionError =>
  unreadable(path, `${what}; at most ${largestFileBytes} (256 KiB) are allowed`, null, advice)

function unreadable(path: string, what: string, cause: unknown, { next }: Advice): DefinitionError {
  const problem: Problem = {
    file: path,
    line: 1,
    column: 1,
    message: `the file ${what}`,
    lineText: '',
    caret: 0,
    suggestion: null,
  }
  return new DefinitionError(path, [problem], cause, next)
}
