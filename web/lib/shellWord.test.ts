import { expect, it } from 'vitest'
import { shellWord } from './shellWord.ts'

it('a word is quoted for a shell where it must be', () => {
  expect(['WORKERS=8', 'SAY=it is', "SAY=it's"].map(shellWord)).toEqual(['WORKERS=8', "'SAY=it is'", "'SAY=it'\\''s'"])
})
