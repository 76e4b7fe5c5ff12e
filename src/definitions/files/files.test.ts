import { describe, expect, it } from 'vitest'
import { parseDefinition } from '../parseDefinition.ts'
import { problemsIn } from '../testing/problemsIn.ts'

const file = (files: string, more = ''): string => `service: shop\nrun: ./server\nfiles: ${files}\n${more}`
const parse = (files: string, more = '') => parseDefinition(file(files, more), 'tandem.yaml').definition
const problems = (files: string, more = ''): string[] => problemsIn(file(files, more))

describe('`files`', () => {
  it('names templates and checks, and nothing where it is not written', () => {
    const { files } = parse('{ etc/app.conf: { template: app.liquid, check: "./app --check {}" }, b: { template: b } }')
    expect(files).toEqual({
      'etc/app.conf': { template: 'app.liquid', check: ['./app', '--check', '{}'] },
      b: { template: 'b' },
    })
    expect(parseDefinition('service: shop\nrun: ./server\n', 'f').definition).not.toHaveProperty('files')
  })

  it('sets a variable, which commands and `env` may name', () => {
    const more = 'env: { CONF: "${TANDEM_FILES}/b" }'
    expect(parse('{ b: { template: b } }', more).env).toEqual({ CONF: '${TANDEM_FILES}/b' })
    expect(problemsIn(`service: shop\nrun: ./server\n${more}\n`)).toHaveLength(1)
  })

  it.each([
    ['{}', 'is empty; expected a map of files'],
    ['[app.conf]', 'expected a map of files, found a list'],
    ['{ /etc/app.conf: { template: a } }', /^`\/etc\/app.conf` is not a path such as etc\/app.conf/],
    ['{ ../app.conf: { template: a } }', /^`..\/app.conf` is not a path/],
    ['{ a/./b: { template: a } }', /is not a path/],
    ['{ a: { template: ../a } }', /^"..\/a" is not a file of the release, such as app.conf.liquid/],
    ['{ a: { check: [true] } }', /^the required key `template` is missing/],
    ['{ a: { source: b } }', /^unknown key `source` in a file/],
    ['{ etc: { template: a }, etc/b: { template: b } }', 'is the folder of etc/b too; give it another name'],
    [
      '{ a: { template: a, check: [./app, "${PORT}"] } }',
      '${PORT} is not replaced here; the command has it as a variable, which `sh -c` reads',
    ],
  ])('%s is refused', (files, message) => {
    expect(problems(files)).toContainEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  })
})
