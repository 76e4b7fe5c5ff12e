import { expect, it } from 'vitest'
import { invitation } from './invitation.ts'

const pin = '3f'.repeat(32)

it.each([
  [{ url: 'https://10.0.0.10:7480', token: 'tdm_x-Y', pin }, `--url https://10.0.0.10:7480 --pin ${pin}`],
  [{ url: 'https://tandem.example.com', token: 'tdm_x-Y', pin: null }, '--url https://tandem.example.com'],
  [{ url: 'https://[fd00::1]:7480', token: 'tdm_x-Y', pin }, `--url 'https://[fd00::1]:7480' --pin ${pin}`],
])('a command that a shell does not change: %j', (cluster, rest) => {
  expect(invitation('shop', cluster)).toBe(`TANDEM_TOKEN=tdm_x-Y tandem context add shop ${rest}`)
})

it('quotes the token, but not the name of its variable', () => {
  const line = invitation('shop', { url: 'http://h', token: "a'b$c", pin: null })
  expect(line).toBe(String.raw`TANDEM_TOKEN='a'\''b$c' tandem context add shop --url http://h`)
})
