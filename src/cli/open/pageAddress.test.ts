import { describe, expect, it } from 'vitest'
import { directPort, linkTo, pageUrl, portFor } from './pageAddress.ts'

describe('the address of the page', () => {
  it.each([
    ['/', 'http://tandem.localhost:7480/'],
    ['services/shop', 'http://tandem.localhost:7480/services/shop'],
    ['/rollouts/4kf2m8xd?from=14:02', 'http://tandem.localhost:7480/rollouts/4kf2m8xd?from=14:02'],
    ['/services/a%2Fb', 'http://tandem.localhost:7480/services/a%2Fb'],
  ])('of %s is %s', (path, url) => {
    expect(pageUrl(7480, path).href).toBe(url)
  })

  it.each(['//evil.example/', '/\\evil.example', 'https://evil.example', '/x#open=1', '/a b', '/\t/evil.example'])(
    'is never elsewhere: %j',
    (path) => {
      const url = ((): string => {
        try {
          return pageUrl(7480, path).origin
        } catch (error) {
          return (error as { code: string }).code
        }
      })()
      expect(['E_USAGE', 'http://tandem.localhost:7480']).toContain(url)
      expect(path.startsWith('https:') || url === 'E_USAGE').toBe(true)
    },
  )

  it('has the secret in the fragment, which is sent to nobody', () => {
    const link = new URL(linkTo(pageUrl(7480, '/services/shop'), 'tdl_secret'))
    expect([link.pathname + link.search, link.hash]).toEqual(['/services/shop', '#open=tdl_secret'])
  })
})

describe('the port of the page', () => {
  it.each([
    ['http://127.0.0.1:7480', 7480],
    ['http://localhost:7500', 7500],
    ['http://[::1]:7480', 7480],
    ['http://127.0.0.1', 80],
    // TLS needs the authority that only the context knows.
    ['https://127.0.0.1:7480', null],
    ['http://10.0.0.10:7480', null],
    ['https://tandem.example:7480', null],
  ])('of a controller at %s is %s', (url, port) => {
    expect(directPort(url)).toBe(port)
  })

  it('is the same for a context each time, and below the ephemeral ports', () => {
    expect(portFor('production')).toBe(portFor('production'))
    const ports = Array.from({ length: 500 }, (_, index) => portFor(`context-${index}`))
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(17_000)
    expect(Math.max(...ports)).toBeLessThan(20_000)
    expect(new Set(ports).size).toBeGreaterThan(400)
  })
})
