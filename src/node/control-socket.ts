/** Name of the socket in the data folder that `posthouse` talks to a node through. */
export const CONTROL_SOCKET = 'posthouse.sock';
