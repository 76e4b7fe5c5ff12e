import { expect, it } from 'vitest'
import { parseDefinition } from './parseDefinition.ts'
import { accessOf } from './routeAccess.ts'

const access = (more: string) =>
  accessOf(parseDefinition(`service: shop\nrun: ./server\n${more}`, 'tandem.yaml').definition).map(
    ({ environment, route, expose, byDefault }) =>
      `${environment ?? '-'} ${route} ${expose}${byDefault ? ' by default' : ''}`,
  )

it.each([
  ['', ['- any host / public']],
  ['listen: none', []],
  ['routes: [{ host: a.b }, { port: 8080, expose: local }]', ['- a.b/ public', '- http port 8080 local']],
  [
    'listen: tcp\nroutes: [{ port: 1 }, { port: 2, expose: public }]\nenvironments: { s: { routes: [{ port: 3 }] } }',
    ['- tcp port 1 local by default', '- tcp port 2 public', 's tcp port 3 local by default'],
  ],
])('reports who may reach the routes of %j', (more, expected) => {
  expect(access(more)).toEqual(expected)
})

it('a port of a release from before `expose` is public', () => {
  const { definition } = parseDefinition('service: shop\nrun: ./a\nlisten: tcp\nroutes: [{ port: 1 }]', 'tandem.yaml')
  const old = { ...definition, routes: [{ port: 1 }] }
  expect(accessOf(old)).toEqual([{ environment: null, route: 'tcp port 1', expose: 'public', byDefault: false }])
})
