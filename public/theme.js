// Before anything is painted: the theme that the visitor has chosen. It stands in the head, where scripts wait for nothing.
// What is stored is `light` or `dark`; nothing, for the system's.
const THEME = 'keepalive-theme';
const root = document.documentElement;
root.dataset.scripted = '';

function storedTheme() {
  try {
    const theme = window.localStorage.getItem(THEME);
    return theme === 'light' || theme === 'dark' ? theme : null;
  } catch {
    // A browser that keeps nothing.
    return null;
  }
}

function applyTheme(theme) {
  if (theme === null) delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const meta of document.querySelectorAll('meta[name=theme-color]')) {
    meta.dataset.media ??= meta.media;
    meta.media = theme === null ? meta.dataset.media : meta.dataset.media.includes(theme) ? 'all' : 'not all';
  }
}

applyTheme(storedTheme());

document.addEventListener('DOMContentLoaded', () => {
  const choice = document.querySelector('.theme select');
  choice.value = storedTheme() ?? 'system';
  choice.addEventListener('change', () => {
    const theme = choice.value === 'system' ? null : choice.value;
    try {
      if (theme === null) window.localStorage.removeItem(THEME);
      else window.localStorage.setItem(THEME, theme);
    } catch {
      // It counts for this page then.
    }
    applyTheme(theme);
    document.dispatchEvent(new CustomEvent('keepalive:theme'));
  });
  // Another tab has chosen.
  window.addEventListener('storage', ({ key }) => {
    if (key !== THEME) return;
    applyTheme(storedTheme());
    choice.value = storedTheme() ?? 'system';
    document.dispatchEvent(new CustomEvent('keepalive:theme'));
  });
});
