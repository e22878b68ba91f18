// Package idp plays Pro Santé Connect for the sandbox: an OpenID provider whose users
// are the professionals of the cast, so that a vendor runs the true flows on a laptop.
//
// It promises:
//   - the paths of a Keycloak realm, and claims in the shapes of Pro Santé Connect
//     (DOMAIN §5.5), so that only URLs and credentials change for the national service;
//   - the code flow with PKCE S256, state and nonce, to redirect URIs that are
//     registered or lead to this machine, and nothing more lenient than there;
//   - the lives of the national service: two minutes for an access token, thirty for a
//     refresh token, four hours for a session, thirty minutes of it idle;
//   - two signing keys in its key set, so that a rotation breaks nobody.
//
// It refuses to prove anything: whoever reaches it chooses whom to be. It keeps all in
// memory and forgets it when it stops, knows neither dossier nor store, and takes no
// part in a start in production.
package idp
