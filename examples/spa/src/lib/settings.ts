const stated = document.querySelector<HTMLMetaElement>('meta[name="auth-url"]')?.content;

/** The origin of the issuer: that of the page, unless the server sets another one. */
export const authURL = stated || location.origin;
