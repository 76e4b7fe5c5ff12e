import { brokenOff, tooLarge, type Page } from '../pages.ts'
import type { HttpPlannedRoute } from '../balancer.ts'
import { page, textOf } from './configWords.ts'
import type { ServedRoute } from './servedRoute.ts'

/*
 * `limits.body`. A rule checks a body that announces its length, or that has arrived completely with the head. A body
 * without a length goes through a backend whose filter counts it while it passes, and from there through HAProxy's own
 * socket to the backend of all requests (docs/decisions/016-bodies-without-length.md).
 */

/**
 * Bodies without a length: neither complete with the head, nor with an announced length. An HTTP/2 WebSocket has no end
 * either, but is not a body.
 */
const withoutLength =
  '!{ so_id 9 } !{ internal.htx.has_eom -m bool } !{ req.hdr(content-length) -m found } !{ req.hdr(upgrade) -m found }'

const malformed = { status: 400, text: '400 Bad request: the body is malformed.\n' }

/** HAProxy would write a line end in a variable as `%0A`. */
const inOneLine = (answer: Page): Page => ({ ...answer, text: answer.text.trimEnd() })

/** Backends for the request of a client; HAProxy takes the first whose condition holds. */
export function backendsOf({
  planned,
  backend,
}: Pick<ServedRoute, 'planned' | 'backend'>): [backend: string, condition: string][] {
  const all: [string, string] = [backend, '']
  return limitOf(planned) === null ? [all] : [[counting(backend), withoutLength], all]
}

const counting = (backend: string): string => backend.replace(/^svc_/, 'count_')

/** Whether this backend only counts bodies: the requests pass through it to the backend of their service. */
export const isCounting = (backend: string): boolean => backend.startsWith('count_')

/** `socket`: HAProxy's own socket, behind which the request is processed as if it had just arrived. */
export function countingBackend({ planned, backend }: ServedRoute, socket: string): string[] {
  const limit = limitOf(planned)
  if (limit === null) return []
  return [
    `# ${planned.service}: counts bodies without a length, and ends requests over the limit`,
    `backend ${counting(backend)} from tandem_http`,
    '  filter lua.limit_body',
    // HAProxy gives no reason to a client that sends a second request on one connection (docs/operations.md).
    '  option http-server-close',
    `  http-request set-var(txn.body_limit) int(${limit})`,
    `  http-request set-var-fmt(txn.refusal) ${textOf(inOneLine(malformed))}`,
    `  http-request set-var-fmt(txn.too_large) ${textOf(inOneLine(tooLarge(limit)))}`,
    `  http-error ${page({ ...malformed, text: '%[var(txn.refusal)]\n' }, 'lf-string')}`,
    `  http-error ${page(brokenOff(planned.service, 'no answer came'))}`,
    '  http-after-response set-status 413 if { var(txn.over) -m bool }',
    `  server own unix@${socket}`,
    '',
  ]
}

export function bodyLimit({ planned }: ServedRoute): string[] {
  const limit = limitOf(planned)
  return limit === null ? [] : [`  http-request return ${page(tooLarge(limit))} if { req.body_size gt ${limit} }`]
}

const limitOf = (planned: ServedRoute['planned']): HttpPlannedRoute['bodyBytes'] =>
  planned.kind === 'http' ? planned.bodyBytes : null

/**
 * A filter can end a request only by an error, which HAProxy logs; return values of the filter cannot end it (2.6,
 * `FILTER.ERROR`).
 */
export const bodyScript = `-- Written by Tandem. Counts a body without a length while it passes; a request over the limit gets a 413.
local LimitBody = { id = "tandem body limit", flags = filter.FLT_CFG_FL_HTX }
LimitBody.__index = LimitBody

function LimitBody:new()
  return setmetatable({ left = 0 }, LimitBody)
end

function LimitBody:http_headers(txn, message)
  if message:is_resp() then return filter.CONTINUE end
  self.left = txn:get_var("txn.body_limit")
  filter.register_data_filter(self, message.channel)
  return filter.CONTINUE
end

function LimitBody:http_payload(txn, message)
  local length = message:input()
  self.left = self.left - length
  if self.left >= 0 then return length end
  -- The end and the trailers of a body also count as input.
  local body = message:body()
  if self.left + length - (body and #body or 0) >= 0 then return length end
  txn:set_var("txn.over", true)
  txn:set_var("txn.refusal", txn:get_var("txn.too_large"))
  error("a body without a length exceeds the limit of its service: sent a 413", 0)
end

core.register_filter("limit_body", LimitBody, function(limit) return limit end)
`
