// ready SOCKET COMMAND...: starts COMMAND as systemd would, with NOTIFY_SOCKET, and prints how many ms it took to READY=1.
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc < 3) errx(2, "usage: ready SOCKET COMMAND...");
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
  unlink(argv[1]);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) err(1, "%s", argv[1]);
  setenv("NOTIFY_SOCKET", argv[1], 1);
  double begin = now_ms();
  pid_t child = fork();
  if (child < 0) err(1, "fork");
  if (child == 0) {
    // Whoever reads what this program prints does not wait for the command.
    if (freopen("/dev/null", "w", stdout) == NULL) err(127, "/dev/null");
    execvp(argv[2], argv + 2);
    err(127, "%s", argv[2]);
  }
  for (;;) {
    char text[4096];
    ssize_t size = recv(fd, text, sizeof text - 1, 0);
    if (size < 0) err(1, "recv");
    text[size] = '\0';
    if (strstr(text, "READY=1") == NULL) continue;
    printf("%d %.1f\n", child, now_ms() - begin);
    return 0;
  }
}
