import { expect, it } from 'vitest'
import { parseDefinition } from '../definitions/parseDefinition.ts'
import { accessOf } from '../definitions/routeAccess.ts'
import { encodeManifest, parseManifest, releaseIdOf } from './manifest.ts'

/** Byte for byte as commit 1cc9083 published the release. */
const published =
  '{"definition":{"build":{"command":null,"output":null,"test":null},"env":{},"environments":{},"health":{"everyMs":100,"path":"/","settleMs":1000,"timeoutMs":2000,"withinMs":30000},"idleMs":null,"instances":1,"limits":{"bodyBytes":null,"cpu":null,"memoryBytes":null,"tasks":null},"listen":"tcp","machines":null,"prepare":null,"rollout":{"drainMs":30000,"strategy":"overlap"},"routes":[{"port":6379}],"run":["./redis-server","--port","${PORT}"],"service":"redis","stop":{"signal":"SIGTERM","withinMs":10000}},"format":1,"service":"redis","tree":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}'
const publishedId = '5a6ccbbd9fa1056afa7a6ccd5f249159e5970dce8d4f9225a17556d172a691f2'

it('reads a release from before `expose` unchanged, and its ports are public', () => {
  const manifest = parseManifest(Buffer.from(published))
  const again = encodeManifest(manifest.definition, manifest.tree)
  expect([again.toString(), releaseIdOf(again)]).toEqual([published, publishedId])
  expect(accessOf(manifest.definition).map(({ route, expose }) => `${route} ${expose}`)).toEqual([
    'tcp port 6379 public',
  ])
})

it.each([
  ['{ port: 6379 }', 2, [{ port: 6379, expose: 'local', byDefault: true }]],
  ['{ port: 6379, expose: local }', 2, [{ port: 6379, expose: 'local' }]],
  ['{ port: 6379, expose: public }', 1, [{ port: 6379, expose: 'public' }]],
])('a release keeps the access of %s; a local port makes it format %i', (route, format, routes) => {
  const { definition } = parseDefinition(`service: redis\nrun: ./r\nlisten: tcp\nroutes: [${route}]`, 'tandem.yaml')
  const bytes = encodeManifest(definition, 'a'.repeat(64))
  expect(parseManifest(bytes)).toMatchObject({ format, definition: { routes } })
  const other = bytes.toString().replace(`"format":${format}`, `"format":${3 - format}`)
  expect(() => parseManifest(Buffer.from(other))).toThrow('the format number does not match the content')
})

it('an unknown key of a route is refused, never ignored', () => {
  const text = published.replace('"port":6379', '"port":6379,"to":"all"')
  expect(() => parseManifest(Buffer.from(text))).toThrow('manifest is refused')
})
