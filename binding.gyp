# The native addon, of the chardev driver and of what is sent to systemd; on anything but Linux there is nothing to build.
{
  'targets': [
    {
      'target_name': 'gpio_chardev',
      'conditions': [
        ['OS=="linux"', {
          'sources': [
            'drivers/chardev/addon/addon.c',
            'drivers/chardev/addon/gpio_fd.c',
            'drivers/chardev/addon/shared_memory.c',
            'drivers/chardev/addon/values.c',
            'systemd/addon/notify.c',
          ],
          'include_dirs': ['drivers/chardev/addon', 'systemd/addon'],
          'defines': ['NAPI_VERSION=8'],
          'cflags': ['-std=gnu11', '-Wall', '-Wextra', '-fvisibility=hidden'],
        }, {
          'type': 'none',
        }],
      ],
    },
  ],
}
