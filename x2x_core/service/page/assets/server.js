// Requests to the service: the token, errors as sentences, and patience while it is busy.

const TRIES = 20
let token = sessionStorage.getItem('x2x-token') ?? ''

export class Sentence extends Error {
  constructor(status, text) {
    super(text)
    this.status = status
  }
}

export function useToken(text) {
  token = text.trim()
  sessionStorage.setItem('x2x-token', token)
}

async function once(path, options) {
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) }
  try {
    return await fetch(path, { ...options, headers })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new Sentence(0, 'The service does not answer. Is it still running?')
  }
}

// Return the response to a request. A busy service is asked again when it says so; `tell` gets the seconds.
export async function ask(path, options = {}, tell = () => {}) {
  for (let tries = 1; ; tries += 1) {
    const response = await once(path, options)
    if (response.ok) return response
    const text = await response.json().then(answer => answer.error, () => `The service answered ${response.status}.`)
    if (response.status !== 503 || tries === TRIES) throw new Sentence(response.status, text)
    const seconds = Math.min(Number(response.headers.get('Retry-After')) || 2, 30)
    tell(seconds)
    await new Promise(done => setTimeout(done, seconds * 1000))
  }
}

export const askJson = async (path, body, tell) => (await ask(path, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
}, tell)).json()

export async function askForm(path, fields, tell) {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) if (value !== '' && value != null) form.append(name, value)
  return (await ask(path, { method: 'POST', body: form }, tell)).json()
}

export function asBlob(base64, type) {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
  return new Blob([bytes], { type })
}
