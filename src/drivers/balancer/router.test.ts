import { describe, expect, it } from 'vitest'
import { absoluteTarget, hostName, Router } from './router.ts'

const router = new Router([
  { host: null, path: '/' },
  { host: null, path: '/api' },
  { host: null, path: '/api/admin/' },
  { host: 'shop.example.com', path: '/cart' },
  { host: 'docs.localhost', path: '/' },
])

describe('the router', () => {
  it.each([
    ['x', '/', '* /'],
    ['x', '/apiary', '* /'],
    ['x', '/api', '* /api'],
    ['x', '/api?next=/api/admin', '* /api'],
    ['x', '/api/adm', '* /api'],
    ['x', '/api/admin', '* /api/admin/'],
    ['x', '/api/admin/users?x=1', '* /api/admin/'],
    ['x', '/%61pi', '* /'],
    ['shop.example.com', '/cart/1', 'shop.example.com /cart'],
    ['shop.example.com', '/carts', '* /'],
    ['shop.example.com', '/api/admin', '* /api/admin/'],
    ['docs.localhost', '/api/admin', 'docs.localhost /'],
  ])('sends %s%s to %s', (host, target, expected) => {
    const found = router.match(host, target)
    expect(`${found?.host ?? '*'} ${found?.path}`).toBe(expected)
  })

  it('finds nothing where there is no route', () => {
    expect(new Router([{ host: 'a', path: '/x' }]).match('a', '/y')).toBeNull()
    expect(new Router([{ host: 'a', path: '/x' }]).match('b', '/x')).toBeNull()
  })

  it.each([
    ['Shop.Example.COM:8080', 'shop.example.com'],
    ['shop.example.com.', 'shop.example.com'],
    ['shop.example.com.:80', 'shop.example.com'],
    ['[::1]:8001', '[::1]'],
    ['', ''],
  ])('reads the name of Host %s', (header, name) => {
    expect(hostName(header)).toBe(name)
  })

  it('splits absolute targets', () => {
    expect(absoluteTarget('http://a.b:1/x?y')).toEqual({ authority: 'a.b:1', path: '/x?y' })
    expect(absoluteTarget('http://a.b?y')).toEqual({ authority: 'a.b', path: '/?y' })
    expect(absoluteTarget('*')).toBeNull()
  })
})
