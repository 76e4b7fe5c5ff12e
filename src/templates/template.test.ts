import { describe, expect, it } from 'vitest'
import { Template } from './template.ts'
import { problemInWords, TemplateError } from './templateProblem.ts'

const variables = {
  cluster: { name: 'live' },
  machine: { name: 'a', address: '10.0.0.1' },
  service: { name: 'shop', release: 'f00' },
  config: { WORKERS: 8, DEBUG: false, PREFIX: '' },
  secrets: { db: 'p"w', 'tls.pem': 'KEY' },
}
const known = Object.fromEntries(Object.entries(variables).map(([name, of]) => [name, Object.keys(of)]))

const fill = (text: string): string => new Template('app.liquid', text).render(variables)

function problem(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
  throw new Error('no problem was found')
}

describe('a template', () => {
  it('is filled in with values of their types', () => {
    expect(fill('{{ cluster.name }} {{ machine.address }} {{ service.name }}')).toBe('live 10.0.0.1 shop')
    expect(fill('{% if config.WORKERS > 10 %}many{% else %}{{ config.WORKERS | times: 2 }}{% endif %}')).toBe('16')
    expect(fill('{% if config.DEBUG %}on{% else %}off{% endif %}{% if config.PREFIX != "" %}x{% endif %}')).toBe('off')
    expect(fill('{{ secrets.db | json }} {{ secrets["tls.pem"] }}')).toBe('"p\\"w" KEY')
    expect(fill('{% raw %}{{ x }}{% endraw %}\r\n')).toBe('{{ x }}\r\n')
  })

  it.each([
    ['a\n b {{ config.WORKER }}', 'app.liquid:2:7: undefined variable: config.WORKER'],
    ['{% if config.NO %}{% endif %}', 'app.liquid:1:7: undefined variable: config.NO'],
    ['{{ config.NO | default: 1 }}', 'app.liquid:1:4: undefined variable: config.NO'],
    ['{% assign x = config.NO %}{{ x }}', 'app.liquid:1:15: undefined variable: config.NO'],
    ['{{ config[secrets.no] }}', 'app.liquid:1:11: undefined variable: secrets.no'],
    ['{{ nothing }}', 'app.liquid:1:4: undefined variable: nothing'],
    ['{{ config.constructor }}', 'app.liquid:1:4: undefined variable: config.constructor'],
    ['{{ secrets.__proto__ }}', 'app.liquid:1:4: undefined variable: secrets.__proto__'],
    ['\n{{ config.WORKERS | twice }}', 'app.liquid:2:1: undefined filter: twice'],
    ['\n {% include "/etc/passwd" %}', 'app.liquid:2:2: `include` is not available: a template is one file'],
    ['{% render "x" %}', 'app.liquid:1:1: `render` is not available: a template is one file'],
    ['{% layout "x" %}', 'app.liquid:1:1: `layout` is not available: a template is one file'],
    ['{% if config.DEBUG %}', 'app.liquid:1:1: tag {% if config.DEBUG %} not closed'],
    ['\n{{ config.DEBUG ', 'app.liquid:2:1: output "{{ config.DEBUG " not closed'],
    ['{% for i in (1..100000000) %}x{% endfor %}', 'app.liquid:1:1: the template grows too large'],
  ])('%j is refused', (text, message) => {
    expect(problem(() => fill(text))).toBe(message)
  })

  it('ends, however it loops', () => {
    const loop = '{% for i in (1..9999) %}'
    expect(problem(() => fill(`${loop}${loop}${loop}x{% endfor %}{% endfor %}{% endfor %}`))).toMatch(/takes too long$/)
    const grow = '{% assign s = "xxxxxxxxxx" %}{% for i in (1..99) %}{% assign s = s | append: s %}{% endfor %}'
    expect(problem(() => fill(grow))).toMatch(/grows too large$/)
    expect(problem(() => fill(' '.repeat(300_000)))).toBe('app.liquid:1:1: the template is too large')
  })

  it('says before which names are unknown', () => {
    const unknown = (text: string) => new Template('app.liquid', text).unknownNames(known).map(problemInWords)
    expect(unknown('{{ config.WORKERS }}{% for i in (1..2) %}{{ i }}{% endfor %}{{ config[config.PREFIX] }}')).toEqual(
      [],
    )
    expect(unknown('{{ machin.name }}\n{% if secrets.dbb %}{% endif %}{{ config.X | default: cluster.id }}')).toEqual([
      'app.liquid:1:4: undefined variable: machin (did you mean machine?)',
      'app.liquid:2:7: undefined variable: secrets.dbb (did you mean secrets.db?)',
      expect.stringMatching(/^app.liquid:2:\d+: undefined variable: config.X$/),
      expect.stringMatching(/^app.liquid:2:\d+: undefined variable: cluster.id/),
    ])
  })
})
