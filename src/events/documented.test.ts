import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { expect, it } from 'vitest'
import { rooms } from '../decider/rooms.ts'

it('docs/events.md lists every type of event, and each of its fields', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `([A-Z]\w+)` +\| (.*?) \| (.*) \|$/gm)]
  const folded = [...new Set(rooms.flatMap(({ folds }) => Object.keys(folds)))].toSorted()
  expect(rows.map(([, type = '']) => type).toSorted()).toEqual(folded)

  const fields = fieldsByType()
  expect([...fields.keys()].toSorted()).toEqual(folded)
  for (const [, type = '', , data = ''] of rows) {
    expect(
      (fields.get(type) ?? []).filter((field) => !data.includes(`\`${field}\``)),
      type,
    ).toEqual([])
  }
})

/** The fields of each type, read from the interfaces that declare them. */
function fieldsByType(): Map<string, string[]> {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('Events.ts'))
  return new Map(files.flatMap((name) => fieldsIn(join(import.meta.dirname, name))))
}

function fieldsIn(file: string): [type: string, fields: string[]][] {
  const { program } = parseSync(file, readFileSync(file, 'utf8'))
  return program.body.flatMap((statement) => {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : null
    if (declared?.type !== 'TSInterfaceDeclaration' || !declared.id.name.endsWith('Events')) return []
    return declared.body.body.flatMap((member): [string, string[]][] => {
      if (member.type !== 'TSPropertySignature' || member.key.type !== 'Identifier') return []
      const data = member.typeAnnotation?.typeAnnotation
      const parts = data?.type === 'TSTypeLiteral' ? data.members : []
      const names = parts.flatMap((part) =>
        part.type === 'TSPropertySignature' && part.key.type === 'Identifier' ? [part.key.name] : [],
      )
      return [[member.key.name, names]]
    })
  })
}
