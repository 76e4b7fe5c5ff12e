export const apiPath = '/api/v1'

export type RequestOptions = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }

/** One request below the API's path, with the key of a session or the secret of a link. */
export const request = (key: string, method: string, path: string, options: RequestOptions = {}): Promise<Response> =>
  fetch(apiPath + path, {
    ...options,
    // An action that was begun is carried out, also if its tab is closed at that moment.
    keepalive: method === 'POST',
    ...{ method, cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer' },
    headers: { authorization: `Bearer ${key}`, ...options.headers },
  })

/** Opens a stream of server-sent events. */
export const openStream = (key: string, path: string, signal: AbortSignal): Promise<Response> =>
  request(key, 'GET', path, { headers: { accept: 'text/event-stream' }, signal })
