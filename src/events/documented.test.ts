import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { expect, it } from 'vitest'
import { eventVersions } from './event.ts'

it('docs/events.md lists every type of event, and each of its fields', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `([A-Z]\w+)` +\| (.*?) \| (.*) \|$/gm)]
  expect(rows.map(([, type]) => type)).toEqual(Object.keys(eventVersions))

  const fields = fieldsByType()
  expect([...fields.keys()]).toEqual(Object.keys(eventVersions))
  for (const [, type = '', , data = ''] of rows) {
    expect(
      (fields.get(type) ?? []).filter((field) => !data.includes(`\`${field}\``)),
      type,
    ).toEqual([])
  }
})

/** The fields of each type, read from the interface that declares them. */
function fieldsByType(): Map<string, string[]> {
  const file = join(import.meta.dirname, 'event.ts')
  const { program } = parseSync(file, readFileSync(file, 'utf8'))
  const fields = new Map<string, string[]>()
  for (const statement of program.body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : null
    if (declared?.type !== 'TSInterfaceDeclaration' || declared.id.name !== 'EventData') continue
    for (const member of declared.body.body) {
      if (member.type !== 'TSPropertySignature' || member.key.type !== 'Identifier') continue
      const data = member.typeAnnotation?.typeAnnotation
      const parts = data?.type === 'TSTypeLiteral' ? data.members : []
      const names = parts.flatMap((part) =>
        part.type === 'TSPropertySignature' && part.key.type === 'Identifier' ? [part.key.name] : [],
      )
      fields.set(member.key.name, names)
    }
  }
  return fields
}
