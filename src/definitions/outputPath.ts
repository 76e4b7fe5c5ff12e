import { checkOutput, longestOutput } from './pathRules.ts'
import { text } from './shapes/text.ts'

/** A folder inside the definition's own folder. */
export const outputPath = text({
  expects: 'a folder inside this one, such as dist',
  schema: { maxLength: longestOutput },
  check: checkOutput,
})
