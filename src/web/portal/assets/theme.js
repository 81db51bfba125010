/** The light or the dark that was chosen, before anything is drawn; else the system's choice. */
{
  const theme = localStorage.getItem('theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme
}
