import { refuse, type Refusal } from './shapes/shape.ts'
import { text } from './shapes/text.ts'

const longest = 1024

/** A folder inside the definition's own. */
export const outputPath = text({
  expects: 'a folder inside this one, such as dist',
  schema: { maxLength: longest },
  check: checkOutput,
})

/** True for an output folder as `parseDefinition` gives it. */
export const outputIsValid = (output: string): boolean => checkOutput(output) === output

function checkOutput(written: string): string | Refusal {
  if (written.length > longest) return refuse(`the path is longer than ${longest} characters`)
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(written)) return refuse('the path holds control characters')
  if (written.startsWith('/') || written.startsWith('~') || /^[A-Za-z]:[\\/]/.test(written)) {
    return refuse(`"${written.slice(0, 60)}" is absolute; the output must be a folder inside the definition's own`)
  }
  const segments = written.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (written.split(/[/\\]/).includes('..')) {
    return refuse(`"${written.slice(0, 60)}" may leave the definition's folder (\`..\`); the output must be inside it`)
  }
  if (segments.length === 0) return refuse('leave `output` out to release the folder itself')
  return segments.join('/')
}
