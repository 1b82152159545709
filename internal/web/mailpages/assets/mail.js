// Follows a mail that is under way: reads its page again, and shows what has changed.
// Whoever is entering something keeps it: only what stands in #live is replaced.
'use strict'
{
  const fastest = 2000, slowest = 30000
  let pause = fastest

  const look = async () => {
    const shown = document.getElementById('live')
    if (!shown || !shown.hasAttribute('data-live')) return
    if (!document.hidden) {
      try {
        const answer = await fetch(location.pathname, { headers: { Accept: 'text/html' } })
        if (answer.ok) {
          const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
          const fresh = page.getElementById('live')
          if (fresh && fresh.innerHTML !== shown.innerHTML) {
            const state = shown.querySelector('section b').textContent
            shown.replaceWith(fresh)
            pause = fastest
            const entering = document.activeElement && document.activeElement.matches('input, select')
            if (!entering && fresh.querySelector('section b').textContent !== state) {
              location.replace(location.pathname) // what one can do to it has changed, too
              return
            }
          }
        } else if (answer.status !== 503) return
      } catch { /* the connection is away: later */ }
      pause = Math.min(pause * 1.5, slowest)
    }
    setTimeout(look, pause)
  }
  setTimeout(look, pause)
}
