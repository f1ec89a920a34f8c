"""What `doctor` finds, in Chinese."""

from gateway.cli.words import Told
from gateway.doctor.findings import Sign

CHINESE_SIGNS = {
    Sign.CONFIG_GOOD: Told("{where}：正确。站点 {found}，设备 {more} 个"),
    Sign.CONFIG_DOUBTFUL: Told("{where}: {found}", "{cure}"),
    Sign.CONFIG_WRONG: Told("{where}: {found}", "{cure}"),
    Sign.CLOCK_SYNCED: Told("已校准，{found} UTC"),
    Sign.CLOCK_UNSYNCED: Told("未校准，显示 {found} UTC", "执行 `timedatectl set-ntp true`，并检查能否连到时间服务器"),
    Sign.CLOCK_IMPLAUSIBLE: Told(
        "时间不可能是 {found} UTC", "执行 `timedatectl set-time`；断电后丢失时间的主机要换电池"
    ),
    Sign.CLOCK_BEHIND: Told(
        "显示 {found} UTC，而数据目录在 {more} 写过", "执行 `timedatectl set-ntp true`；断电后丢失时间的主机要换电池"
    ),
    Sign.COOL: Told("最高 {found} 摄氏度（{where}）"),
    Sign.HOT: Told("{found} 摄氏度（{where}）", "改善通风，清理散热口"),
    Sign.TOO_HOT: Told("{found} 摄氏度（{where}），主机可能关机", "改善通风，检查风扇"),
    Sign.DISK_GOOD: Told("{where}：剩余 {found}，共 {more}"),
    Sign.DISK_TIGHT: Told(
        "{where}：剩余 {found}，而最多还可能需要 {more}", "换更大的磁盘，或减小 telemetry.cap 和 influx.cap"
    ),
    Sign.DISK_FULL: Told("{where}：只剩 {found}", "腾出空间：查看 `du -x {where}` 和 `df`"),
    Sign.DISK_CROWDED: Told("{where}：只能再存 {found} 个文件", "删除小文件：查看 `df -i`"),
    Sign.DISK_READ_ONLY: Told(
        "{where}：文件系统是只读的", "用 `dmesg` 查原因，再 `mount -o remount,rw`；磁盘坏了要更换"
    ),
    Sign.DISK_VOLATILE: Told("{where}：在 {found} 上，断电即丢失", "在 `data:` 中写主机磁盘上的目录"),
    Sign.DISK_UNFIT: Told("{where}：在 {found} 上，断电时不安全", "在 `data:` 中写 ext4、xfs、btrfs 或 f2fs 上的目录"),
    Sign.DISK_UNSEEN: Told("{where}：无法查看（{found}）", "请用 root 运行 doctor；否则检查磁盘是否完好：`dmesg`"),
    Sign.WEAR_LOW: Told("{where}：寿命最多已用 {found} %"),
    Sign.WEAR_HIGH: Told("{where}：寿命已用 {found} %", "一年内更换主机或磁盘"),
    Sign.WORN_OUT: Told("{where}：寿命已尽（已用 {found} %）", "立即更换主机或磁盘"),
    Sign.ALLOWED: Told("{found} 有所需的全部权限"),
    Sign.UNREADABLE: Told("{where}：{found} 无权读取", "执行 `chgrp {found} {where}` 和 `chmod g+r`，上层目录也要"),
    Sign.UNWRITABLE: Told(
        "{where}：{found} 无权写入", "执行 `chown {found} {where}`；串口则 `adduser {found} dialout`"
    ),
    Sign.HIDDEN: Told("{where}：网关的服务单元看不到它", "移到 /etc/station-gateway 或 /var/lib/station-gateway"),
    Sign.SHUT_IN: Told(
        "{where}：网关的服务单元不允许写入这里",
        "用 `data: /var/lib/station-gateway`，或用 `systemctl edit station-gateway` 加 `ReadWritePaths={where}`",
    ),
    Sign.SECRET_OPEN: Told("{where}：机上任何人都能读这个密钥（权限 {found}）", "执行 `chmod o= {where}`"),
    Sign.NOT_ROOT: Told("没有检查 {found} 的权限", "请用 root 运行 doctor"),
    Sign.UNIT_GOOD: Told("{where}：开机启动，正在运行"),
    Sign.UNIT_ABSENT: Told("{where}：没有安装（{found}）", "安装网关：`sh systemd/install.sh`"),
    Sign.UNIT_DISABLED: Told(
        "{where}：不会开机启动（{found}），断电后无人启动它", "执行 `systemctl enable station-gateway`"
    ),
    Sign.UNIT_STOPPED: Told(
        "{where}：没有运行（{found}）", "执行 `systemctl restart station-gateway`，查看 `journalctl -u station-gateway`"
    ),
    Sign.NO_SYSTEMD: Told("无法询问 systemd{found}", "启动网关的程序必须在它每次结束后重新启动它"),
    Sign.SOCKET_GOOD: Told("{more}：在 {where} 可用"),
    Sign.SOCKET_ABSENT: Told("{where}：不存在", "执行 `systemctl enable --now {more}`"),
    Sign.BLUETOOTHD_RUNS: Told("bluetoothd 有应答（版本 {found}）"),
    Sign.ADAPTER_GOOD: Told("{where}：已打开"),
    Sign.ADAPTER_OFF: Told("{where}：已关闭", "网关会打开它；否则执行 `bluetoothctl power on`"),
    Sign.ADAPTER_IDLE: Told("{where}：网关在运行，它却没有扫描", "见下面网关自己报告的故障"),
    Sign.ADAPTER_BLOCKED: Told("{where}：被 rfkill 禁用", "执行 `rfkill unblock bluetooth`"),
    Sign.ADAPTER_SWITCHED_OFF: Told("{where}：被机身开关禁用", "找到机身上的开关或按键"),
    Sign.ADAPTER_ABSENT: Told("没有这个适配器（{found}）", "插上它，或写 `bluetoothctl list` 列出的适配器"),
    Sign.NO_BUS: Told("系统总线：{found}", "执行 `systemctl start dbus`"),
    Sign.NO_BLUETOOTHD: Told("bluetoothd 没有运行（{found}）", "执行 `systemctl enable --now bluetooth`"),
    Sign.BLUETOOTH_DENIED: Told("无权使用蓝牙（{found}）", "请用 root 运行 doctor"),
    Sign.BLUETOOTH_FAILED: Told("蓝牙故障：{found}", "{cure}"),
    Sign.PORT_GOOD: Told("{where}：存在，可用"),
    Sign.PORT_ABSENT: Told(
        "{where}：不存在", "插上它，查看 `ls -l /dev/serial/by-id/`；brltty 会占走串口：`apt purge brltty`"
    ),
    Sign.PORT_NO_TERMINAL: Told("{where}：不是串口", "写 /dev/serial/by-id/ 下接收器的路径"),
    Sign.PORT_TAKEN: Told("{where}：被 {found} 占用", "停止那个程序，不让它再用串口：`apt purge modemmanager`"),
    Sign.PORT_FAILED: Told("{where}：打不开（{found}）", "检查名称、线缆和接收器"),
    Sign.BROKER_GOOD: Told("{where}：可以登录"),
    Sign.BROKER_UNREACHABLE: Told("连不上：{found}", "检查网络、名称解析，以及那里是否有服务器在运行"),
    Sign.BROKER_CLOSES: Told("对方断开：{found}", "查看服务器日志；mqtts:// 可能要求客户端证书：mqtt.tls.certificate"),
    Sign.BROKER_TLS: Told("TLS 失败：{found}", "检查 mqtt.tls 的证书和密钥，以及该端口是否使用 TLS"),
    Sign.BROKER_CERTIFICATE: Told("证书不可信：{found}", "检查 mqtt.tls.ca、mqtt.brokers 中的名称和本机时钟"),
    Sign.BROKER_REFUSES: Told("拒绝连接：{found}", "查看服务器日志，检查 mqtt.version 和 mqtt.brokers"),
    Sign.LOGIN_REFUSED: Told("拒绝登录：{found}", "检查 mqtt.username、mqtt.password 和服务器的用户表"),
    Sign.LOGIN_UNREADABLE: Told("读不到登录文件：{found}", "把文件放好，网关用户要能读"),
    Sign.NO_BROKER: Told("没有一个服务器可用：警报发不出去", "见上面每个服务器的说明"),
    Sign.CERTIFICATE_GOOD: Told("{where}：还有 {found} 天，到 {more} UTC"),
    Sign.CERTIFICATE_ENDS: Told("{where}：再过 {found} 天到期（{more} UTC）", "换上新证书"),
    Sign.CERTIFICATE_ENDED: Told("{where}：已于 {more} UTC 到期", "换上新证书，并查看上面的时钟"),
    Sign.CERTIFICATE_EARLY: Told("{where}：{more} UTC 之前无效", "查看上面的时钟"),
    Sign.CERTIFICATE_UNREADABLE: Told("{where}：无法读取（{found}）", "放上 PEM 文件，网关用户要能读"),
    Sign.DAEMON_RUNS: Told("已运行 {found} 分钟"),
    Sign.DAEMON_DENIED: Told("{where}：您无权询问网关", "请用 root，或加入 station-gateway 组"),
    Sign.NO_DAEMON: Told(
        "{where}：没有网关应答（{found}），现在不接收也不发送任何呼叫",
        "执行 `systemctl enable --now station-gateway`，查看 `journalctl -u station-gateway`",
    ),
    Sign.DAEMON_WARNS: Told("{where}: {found}", "{cure}"),
    Sign.DAEMON_FAULT: Told("{where}: {found}", "{cure}"),
    Sign.ALERTS_WAIT: Told("等待服务器的警报消息 {found} 条，最早的已等 {more} 分钟", "见这里的服务器和故障"),
    Sign.SET_ASIDE: Told("{where} 通道：被拒收而搁置 {found} 条", "执行 `station-gateway outbox list`"),
    Sign.LINK_HEARS: Told("{where}：{found} 个数据包"),
    Sign.LINK_SILENT: Told(
        "{where}：{found} 分钟没有收到任何数据", "检查接收器和距离；`station-gateway scan` 显示空中的信号"
    ),
    Sign.LINK_UNREAD: Told(
        "{where}：{found} 个数据包或坏帧，没有一个能读懂",
        "检查该链路的 `profile` 和 `baud`；`station-gateway decode` 可读 quarantine.jsonl",
    ),
    Sign.PROFILE_SILENT: Told("格式 {where}：{found} 分钟没有读到数据", "检查这类设备是否在场：`station-gateway scan`"),
}
