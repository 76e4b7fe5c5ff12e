import { describe, expect, it } from 'vitest'
import { definitionSchema } from '../definitionSchema.ts'
import { parseDefinition } from '../parseDefinition.ts'
import { DefinitionError } from '../problem.ts'
import { requiredPackage } from './requiredPackage.ts'

const parse = (more: string) => parseDefinition(`service: shop\nrun: ./server\n${more}`, 'tandem.yaml').definition

describe('requires', () => {
  it('is stored without blanks and with units, and crosses a wire unchanged', () => {
    const definition = parse(
      'requires: { commands: [psql, /usr/lib/x/y], packages: ["postgresql-15 >= 15.4", redis], memory: 2G, disk: 10G, architecture: arm64 }\n',
    )
    expect(definition.requires).toEqual({
      ...{ commands: ['psql', '/usr/lib/x/y'], packages: ['postgresql-15>=15.4', 'redis'] },
      ...{ memoryBytes: 2 * 1024 ** 3, diskBytes: 10 * 1024 ** 3, architecture: 'arm64' },
    })
    expect(definitionSchema.parse(JSON.parse(JSON.stringify(definition)))).toEqual(definition)
    expect(Object.keys(parse(''))).not.toContain('requires')
  })

  it.each([
    ['commands: ["psql -h x"]', 'is not the name of a program'],
    ['commands: [../psql]', 'is not the name of a program'],
    ['packages: [Postgres]', 'is not a Debian package'],
    ['packages: ["a>=1; rm"]', 'is not a Debian package'],
    ['packages: ["redis >= 1", "redis>=1"]', 'occurs twice'],
    ['architecture: x86', 'is none of amd64, arm64'],
    ['memory: 2', 'is not a size'],
  ])('%s is refused', (written, why) => {
    expect(() => parse(`requires: { ${written} }\n`)).toThrow(DefinitionError)
    expect(() => parse(`requires: { ${written} }\n`)).toThrow(why)
  })

  it.each([
    ['a1', { name: 'a1', version: null }],
    ['libstdc++6 >> 1:2.0~rc1', { name: 'libstdc++6', version: { relation: 'gt', than: '1:2.0~rc1' } }],
    ['x-1<2', { name: 'x-1', version: { relation: 'lt', than: '2' } }],
    ['x-1=2', { name: 'x-1', version: { relation: 'eq', than: '2' } }],
  ])('%s has these parts', (written, parts) => {
    expect(requiredPackage(written)).toMatchObject(parts)
  })
})
